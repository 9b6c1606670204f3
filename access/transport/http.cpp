#include "access/transport/http.hpp"
