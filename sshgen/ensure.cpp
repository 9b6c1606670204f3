#include "sshgen/ensure.hpp"
