#include "sshconfig/quote.hpp"
