#include "sshgen/sign.hpp"
