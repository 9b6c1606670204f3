#include "access/identity/transfer.hpp"
