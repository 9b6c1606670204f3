#include "access/core/descriptor.hpp"
