#include "access/transport/refusal.hpp"
