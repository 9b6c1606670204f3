#include "access/identity/application.hpp"
