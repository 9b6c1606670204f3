#include "access/core/url.hpp"
