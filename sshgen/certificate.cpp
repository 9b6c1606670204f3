#include "sshgen/certificate.hpp"
