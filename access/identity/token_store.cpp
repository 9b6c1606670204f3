#include "access/identity/token_store.hpp"
