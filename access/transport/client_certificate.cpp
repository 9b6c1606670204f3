#include "access/transport/client_certificate.hpp"
