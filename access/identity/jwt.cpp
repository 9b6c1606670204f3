#include "access/identity/jwt.hpp"
