package wasmaot

import "golang.org/x/sys/unix"

// mapPopulate makes the pages of a file that will be read from end to end present at once.
const mapPopulate = unix.MAP_POPULATE
