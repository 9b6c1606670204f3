#include "access/transport/websocket.hpp"
