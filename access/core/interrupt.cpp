#include "access/core/interrupt.hpp"
