#include "sshconfig/install.hpp"
