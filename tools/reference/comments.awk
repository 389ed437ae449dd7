#!/usr/bin/awk -f
# SPDX-License-Identifier: Apache-2.0
# The header's plain comments as Doxygen wants them: the essay on top is the main page, a comment before a declaration
# belongs to it, one behind a member to that member, and a ruled line begins a section.
NR == 1 { print ""; next }
/^\/\* --------/ {
    title = $0
    gsub(/^\/\* -+ */, "", title)
    gsub(/ *\*\/$/, "", title)
    print (open ? "/** @} */ " : "") "/** @name " toupper(substr(title, 1, 1)) substr(title, 2) "\n@{ */"
    open = 1
    next
}
/^\/\*$/ { print "/** @mainpage"; essay = 1; next }
essay { # code is indented by four blanks more
    if (/^ \*\//) { essay = 0; print; next }
    line = $0
    sub(/^ \*/, "", line)
    if (line ~ /^     /) {
        if (!code) print " * @code"
        code = 1
        print " *" line
        next
    }
    if (code && line !~ /^ *$/) { print " * @endcode"; code = 0 }
    print " *" line
    next
}
/^\/\* / { sub(/^\/\*/, "/**"); print; next }
/^ *[^\/ ].*\/\*/ { sub(/\/\*/, "/**<"); print; next }
/^#ifdef __cplusplus/ && open { print "/** @} */"; open = 0 }
{ print }
