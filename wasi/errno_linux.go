package wasi

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// hostErrnos gives the guest's number of each of the host's.
var hostErrnos = [...]Errno{
	unix.E2BIG:           E2BIG,
	unix.EACCES:          EACCES,
	unix.EADDRINUSE:      EADDRINUSE,
	unix.EADDRNOTAVAIL:   EADDRNOTAVAIL,
	unix.EAFNOSUPPORT:    EAFNOSUPPORT,
	unix.EAGAIN:          EAGAIN,
	unix.EALREADY:        EALREADY,
	unix.EBADF:           EBADF,
	unix.EBADMSG:         EBADMSG,
	unix.EBUSY:           EBUSY,
	unix.ECANCELED:       ECANCELED,
	unix.ECHILD:          ECHILD,
	unix.ECONNABORTED:    ECONNABORTED,
	unix.ECONNREFUSED:    ECONNREFUSED,
	unix.ECONNRESET:      ECONNRESET,
	unix.EDEADLK:         EDEADLK,
	unix.EDESTADDRREQ:    EDESTADDRREQ,
	unix.EDOM:            EDOM,
	unix.EDQUOT:          EDQUOT,
	unix.EEXIST:          EEXIST,
	unix.EFAULT:          EFAULT,
	unix.EFBIG:           EFBIG,
	unix.EHOSTUNREACH:    EHOSTUNREACH,
	unix.EIDRM:           EIDRM,
	unix.EILSEQ:          EILSEQ,
	unix.EINPROGRESS:     EINPROGRESS,
	unix.EINTR:           EINTR,
	unix.EINVAL:          EINVAL,
	unix.EIO:             EIO,
	unix.EISCONN:         EISCONN,
	unix.EISDIR:          EISDIR,
	unix.ELOOP:           ELOOP,
	unix.EMFILE:          EMFILE,
	unix.EMLINK:          EMLINK,
	unix.EMSGSIZE:        EMSGSIZE,
	unix.EMULTIHOP:       EMULTIHOP,
	unix.ENAMETOOLONG:    ENAMETOOLONG,
	unix.ENETDOWN:        ENETDOWN,
	unix.ENETRESET:       ENETRESET,
	unix.ENETUNREACH:     ENETUNREACH,
	unix.ENFILE:          ENFILE,
	unix.ENOBUFS:         ENOBUFS,
	unix.ENODEV:          ENODEV,
	unix.ENOENT:          ENOENT,
	unix.ENOEXEC:         ENOEXEC,
	unix.ENOLCK:          ENOLCK,
	unix.ENOLINK:         ENOLINK,
	unix.ENOMEM:          ENOMEM,
	unix.ENOMSG:          ENOMSG,
	unix.ENOPROTOOPT:     ENOPROTOOPT,
	unix.ENOSPC:          ENOSPC,
	unix.ENOSYS:          ENOSYS,
	unix.ENOTCONN:        ENOTCONN,
	unix.ENOTDIR:         ENOTDIR,
	unix.ENOTEMPTY:       ENOTEMPTY,
	unix.ENOTRECOVERABLE: ENOTRECOVERABLE,
	unix.ENOTSOCK:        ENOTSOCK,
	unix.ENOTTY:          ENOTTY,
	unix.ENXIO:           ENXIO,
	unix.EOVERFLOW:       EOVERFLOW,
	unix.EOWNERDEAD:      EOWNERDEAD,
	unix.EPERM:           EPERM,
	unix.EPIPE:           EPIPE,
	unix.EPROTO:          EPROTO,
	unix.EPROTONOSUPPORT: EPROTONOSUPPORT,
	unix.EPROTOTYPE:      EPROTOTYPE,
	unix.ERANGE:          ERANGE,
	unix.EROFS:           EROFS,
	unix.ESPIPE:          ESPIPE,
	unix.ESRCH:           ESRCH,
	unix.ESTALE:          ESTALE,
	unix.ETIMEDOUT:       ETIMEDOUT,
	unix.ETXTBSY:         ETXTBSY,
	unix.EXDEV:           EXDEV,
	unix.EOPNOTSUPP:      ENOTSUP,
}

// errnoOf is what the guest is told of an error.
func errnoOf(err error) Errno {
	if err == nil {
		return ESUCCESS
	}
	if e, ok := err.(unix.Errno); ok {
		if int(e) < len(hostErrnos) && hostErrnos[e] != 0 {
			return hostErrnos[e]
		}
		return EIO
	}
	if errors.Is(err, sandbox.ErrEscape) {
		return EPERM
	}
	return mountErrno(err)
}

// mountErrno is errnoOf for errors of a Dir.FS.
func mountErrno(err error) Errno {
	var e unix.Errno
	switch {
	case errors.As(err, &e):
		return errnoOf(e)
	case errors.Is(err, fs.ErrNotExist):
		return ENOENT
	case errors.Is(err, fs.ErrPermission):
		return EACCES
	case errors.Is(err, fs.ErrInvalid):
		return EINVAL
	case errors.Is(err, errors.ErrUnsupported):
		return ENOTSUP
	}
	return EIO
}
