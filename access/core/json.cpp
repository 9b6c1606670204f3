#include "access/core/json.hpp"
