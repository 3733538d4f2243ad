#pragma once

#include <string_view>

/// Reasons shared by several rows of the atoms table. Not for use outside shims/.
namespace onelane::shims {

inline constexpr std::string_view kAtomOneDocument = "each part would write a document of its own";
inline constexpr std::string_view kAtomOneOutput =
    "each part would write over the file of the one before";
inline constexpr std::string_view kAtomCacheOfAll = "the cache is kept for the files of one call";
inline constexpr std::string_view kAtomNoCheck = "it does not go through files";
inline constexpr std::string_view kAtomStandardInput = "standard input can be read once";
inline constexpr std::string_view kAtomMediaFiles =
    "*.avif *.bmp *.eot *.gif *.gz *.ico *.jar *.jpeg *.jpg *.mov *.mp3 *.mp4 *.otf *.pdf *.png "
    "*.so *.tar *.tgz *.ttf *.wasm *.webm *.webp *.whl *.woff *.woff2 *.xz *.zip";

}  // namespace onelane::shims
