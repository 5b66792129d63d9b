#!/bin/sh
# server: everything in one process, data in /data. The official image also asks for preallocated volumes of 1 GB each: so does this one,
# so that a compose file that forgets to say otherwise fills the disk here too.
case "$1" in
  server) shift; exec weed -logtostderr=true server -dir=/data -volume.max=0 -master.volumePreallocate -master.volumeSizeLimitMB=1024 "$@" ;;
  *) exec weed "$@" ;;
esac
