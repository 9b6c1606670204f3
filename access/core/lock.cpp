#include "access/core/lock.hpp"
