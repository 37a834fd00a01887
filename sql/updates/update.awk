# Makes an update script: what the parts (later files) have and the frozen script (first file) has not, statement by
# statement. What cannot be derived, such as what goes, is written by hand in a file of this directory (second file) and
# comes first. A function of the same arguments is replaced, so that what depends on it stays; if it was dropped by hand,
# or is new, it is created, and nothing of somebody else's that is called like it is adopted.

function identity(comment) { return substr(comment, 21, index(comment, " IS") - 21) }  # after COMMENT ON FUNCTION

FNR == 1 { file++ }
file == 2 { print }
/^\\/ { next }
/^--/ || (/^$/ && statement == "") { next }
{ statement = statement (statement == "" ? "" : "\n") $0 }
!/;$/ { next }

file == 1 {
    frozen[statement] = 1
    if (statement ~ /^COMMENT ON FUNCTION/) was[identity(statement)] = 1
}
file == 2 && /^DROP FUNCTION/ { delete was[substr($0, 15, length($0) - 15)] }
file > 2 && statement ~ /^CREATE FUNCTION/ { created = statement }
file > 2 && statement ~ /^COMMENT ON FUNCTION/ {
    name = identity(statement)
    if (!(created in frozen)) {
        if (name in was) sub(/^CREATE/, "CREATE OR REPLACE", created)
        print "\n" created
    }
    if (!(statement in frozen) || !(name in was)) print statement
    delete was[name]
}
file > 2 && statement !~ /^(CREATE|COMMENT ON) FUNCTION/ && !(statement in frozen) { print statement }
{ statement = "" }

END {
    for (name in was) {
        print "update.awk: function " name " is gone: drop it by hand" > "/dev/stderr"
        exit 1
    }
}
