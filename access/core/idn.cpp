#include "access/core/idn.hpp"
