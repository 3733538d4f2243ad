# Writes OUT, a C++ file that holds what the page is made of (page_parts.hpp) as bytes.
#
#   cmake -D OUT=page_parts.cpp -D FROM=FOLDER -D SCRIPTS=a.js,b.js -P embed.cmake

# embed(NAME FILE…): appends to `text` a function that returns the bytes of all of them.
function(embed name)
  set(hex)
  foreach(file ${ARGN})
    file(READ "${FROM}/${file}" bytes HEX)
    string(APPEND hex "${bytes}")
  endforeach()
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," array "${hex}")
  string(APPEND text "std::string_view ${name}() noexcept {\n"
    "  static constexpr char kBytes[] = {${array}};\n"
    "  return {kBytes, sizeof kBytes};\n}\n\n")
  set(text "${text}" PARENT_SCOPE)
endfunction()

string(REPLACE "," ";" scripts "${SCRIPTS}")
set(text "#include \"multicall/report/page_parts.hpp\"\n\nnamespace onelane::multicall {\n\n")
embed(page_html page.html)
embed(page_style page.css)
embed(page_script ${scripts})
file(WRITE "${OUT}" "${text}}  // namespace onelane::multicall\n")
