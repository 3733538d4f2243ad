# Rewrites the output of lowdown -tman with macros of man(7) in place of raw troff requests, so that
# mandoc formats it as well as groff, and with hyphens that can be searched for and copied.

{ lines[NR] = $0 }

function put(line) {
  if (line !~ /^\./) {
    gsub(/-/, "\\-", line)
    gsub(/\\fC/, "\\fB", line)
  }
  print line
}

END {
  for (i = 1; i <= NR; ++i) {
    if (lines[i] ~ /^\.TH /) {
      print lines[i] "\n.nh\n.ad l"
    } else if (lines[i] ~ /^\.S[HS]$/) {
      print lines[i], lines[++i]
      if (lines[i + 1] ~ /^\.[LP]P$/)
        ++i
    } else if (lines[i] ~ /^\.[LP]P$/ && lines[i + 2] == ".if n \\" && lines[i + 3] == ".sp -1v") {
      # A term of a definition list, up to the `.IP` of its text.
      print ".TP"
      put(lines[i + 1])
      i += 6
    } else if (lines[i] ~ /^\.[LP]P$/) {
      if (lines[i + 1] !~ /^\.(TS|SH|SS)/)
        print ".PP"
    } else if (lines[i] == ".EX") {
      print ".RS 4\n.EX"
    } else if (lines[i] == ".EE") {
      print ".EE\n.RE"
    } else {
      put(lines[i])
    }
  }
}
