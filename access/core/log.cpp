#include "access/core/log.hpp"
