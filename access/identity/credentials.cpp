#include "access/identity/credentials.hpp"
