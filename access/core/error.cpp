#include "access/core/error.hpp"
