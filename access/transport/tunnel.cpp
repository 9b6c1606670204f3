#include "access/transport/tunnel.hpp"
