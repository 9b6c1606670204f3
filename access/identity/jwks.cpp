#include "access/identity/jwks.hpp"
