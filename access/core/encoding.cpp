#include "access/core/encoding.hpp"
