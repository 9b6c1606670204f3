#include "sshgen/wire.hpp"
