// The deleter of a C library's object: std::unique_ptr<BIO, Release<BIO_free>>.
#pragma once

namespace mayfly {

template <auto function>
struct Release {
  template <typename Object>
  void operator()(Object* object) const noexcept {
    function(object);
  }
};

}  // namespace mayfly
