#include "sshconfig/render.hpp"
