#include "access/core/secret.hpp"
