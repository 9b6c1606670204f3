#include "access/core/files.hpp"
