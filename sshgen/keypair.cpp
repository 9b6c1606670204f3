#include "sshgen/keypair.hpp"
