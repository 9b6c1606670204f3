#include "access/core/text.hpp"
