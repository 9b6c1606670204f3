#include "access/identity/exchange.hpp"
