dnl IMAPD_LIBRARY(VAR, MODULE, DEBIAN-PACKAGE): a required library.
AC_DEFUN([IMAPD_LIBRARY], [
PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 not found: install the package $3])])
])

dnl IMAPD_WARNINGS: what both gcc and clang understand, and -Werror for CI.
AC_DEFUN([IMAPD_WARNINGS], [
WARN_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wconversion dnl
-Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla -Wundef dnl
-Wwrite-strings -Wformat=2"
AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])

dnl IMAPD_TRY_FLAG(VAR, FLAG, [LINK]): append FLAG to VAR if it works.
AC_DEFUN([IMAPD_TRY_FLAG], [
AC_MSG_CHECKING([whether $CC accepts $2])
imapd_save_cflags=$CFLAGS
imapd_save_ldflags=$LDFLAGS
CFLAGS="$CFLAGS $2 -Werror"
AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[]])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
CFLAGS=$imapd_save_cflags
LDFLAGS=$imapd_save_ldflags
])

dnl IMAPD_HARDENING: position-independent executables, read-only relocations,
dnl stack protector, checked libc calls.
AC_DEFUN([IMAPD_HARDENING], [
HARD_CFLAGS=""
HARD_LDFLAGS=""
IMAPD_TRY_FLAG([HARD_CFLAGS], [-fPIE])
IMAPD_TRY_FLAG([HARD_CFLAGS], [-fstack-protector-strong])
IMAPD_TRY_FLAG([HARD_CFLAGS], [-fstack-clash-protection])
IMAPD_TRY_FLAG([HARD_CFLAGS], [-fcf-protection])
IMAPD_TRY_FLAG([HARD_CFLAGS], [-fno-strict-aliasing])
AS_IF([test "x$enable_sanitizers" != xyes],
    [HARD_CFLAGS="$HARD_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
IMAPD_TRY_FLAG([HARD_LDFLAGS], [-pie])
IMAPD_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,relro])
IMAPD_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,now])
IMAPD_TRY_FLAG([HARD_LDFLAGS], [-Wl,-z,noexecstack])
IMAPD_TRY_FLAG([HARD_LDFLAGS], [-Wl,--as-needed])
AC_SUBST([HARD_CFLAGS])
AC_SUBST([HARD_LDFLAGS])
])

AC_DEFUN([IMAPD_SANITIZERS], [
SAN_FLAGS=""
AS_IF([test "x$enable_sanitizers" = xyes],
    [SAN_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
     AC_DEFINE([WITH_SANITIZERS], [1], [built with ASan and UBSan])])
AC_SUBST([SAN_FLAGS])
])
