/*
 * Copyright (c) 2026 the imapd authors
 * SPDX-License-Identifier: ISC
 *
 * sandbox_seccomp.c: which system calls may still be made.
 *
 * Lists of what is allowed, made into a BPF program at run time.  What is not
 * in a list ends a login process at once (there is no honest reason for it);
 * what the C library may try on its own account is refused with EACCES.  In a
 * session everything that is not in the list fails with EPERM: a crash there
 * would cost the user the connection because of a libc that grew a new habit.
 *
 * The architecture is checked first; the numbers of another one (or of x32)
 * mean other calls.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "imapd/process/sandbox.h"

#if defined(WITH_SANITIZERS) && defined(WITH_SANDBOX)
/* The leak checker wants to trace us when we exit. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

#if defined(WITH_SANDBOX) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#ifdef __x86_64__
#define ARCH		AUDIT_ARCH_X86_64
#define FOREIGN_BIT	0x40000000u	/* x32 */
#else
#define ARCH		AUDIT_ARCH_AARCH64
#define FOREIGN_BIT	0x80000000u	/* none: never set */
#endif
#define PROGRAM_MAX	400		/* instructions */
#define END		(-1)

/* ---- the lists --------------------------------------------------------- */

/* Memory, time, sockets that are open, the end. */
static const int common[] = {
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex,
	SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
	SYS_getrandom, SYS_getpid, SYS_gettid, SYS_getuid, SYS_geteuid,
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_shutdown,
	SYS_recvfrom, SYS_recvmsg, SYS_ppoll,
	SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction,
	SYS_restart_syscall, SYS_exit, SYS_exit_group, SYS_sysinfo,
#ifdef __x86_64__
	SYS_poll, SYS_time,
#endif
#ifdef WITH_SANITIZERS	/* the run-time of ASan and UBSan */
	SYS_mmap, SYS_mprotect, SYS_sigaltstack, SYS_sched_yield,
	SYS_sched_getaffinity, SYS_prlimit64, SYS_tgkill,
#endif
	END
};

/* Messages with descriptors; a session sends none. */
static const int login[] = { SYS_sendto, SYS_sendmsg, END };

/* A process that forks, and its children before they become "login". */
static const int forker[] = {
	SYS_clone, SYS_wait4, SYS_set_robust_list, SYS_prctl, SYS_seccomp,
	SYS_prlimit64, SYS_pipe2,
#ifdef __x86_64__
	SYS_fork,
#endif
	END
};

/* What the C library tries on its own: logging to syslog opens a socket again
 * when the daemon was restarted, stdio looks at its files, abort() signals. */
static const int login_refused[] = {
	SYS_openat, SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_ioctl,
	SYS_socket, SYS_connect, SYS_fcntl, SYS_readlinkat, SYS_getcwd,
	SYS_tgkill, SYS_sched_yield, SYS_uname, SYS_statx,
#ifdef __x86_64__
	SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink,
#endif
	END
};

/* The files of a Maildir. */
static const int session[] = {
	SYS_openat, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev,
	SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs,
	SYS_fstatfs, SYS_faccessat, SYS_faccessat2, SYS_getdents64,
	SYS_readlinkat, SYS_renameat2, SYS_linkat, SYS_unlinkat, SYS_mkdirat,
	SYS_symlinkat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat,
	SYS_utimensat, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync,
	SYS_sync_file_range, SYS_fadvise64, SYS_copy_file_range, SYS_sendfile,
	SYS_fcntl, SYS_flock, SYS_inotify_init1, SYS_inotify_add_watch,
	SYS_inotify_rm_watch, SYS_dup, SYS_dup3, SYS_pipe2, SYS_getcwd,
	SYS_uname, SYS_umask, SYS_wait4, SYS_getppid, SYS_getgid, SYS_getegid,
	SYS_sched_yield, SYS_setsockopt, SYS_getsockopt, SYS_getrusage,
	SYS_msync, SYS_mincore,
#ifdef SYS_renameat	/* what renameat() is, wherever there is one */
	SYS_renameat,
#endif
#ifdef __x86_64__
	SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_rename,
	SYS_link, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_chmod,
	SYS_select, SYS_dup2, SYS_utimes,
#endif
	END
};

/* ---- making the program ------------------------------------------------ */

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short n;
	bool is_full;
};

static void
emit(struct program *p, uint16_t op, uint32_t k, unsigned jt, unsigned jf)
{
	if (p->n == PROGRAM_MAX) {
		p->is_full = true;
		return;
	}
	p->code[p->n++] = (struct sock_filter){ op, (uint8_t)jt, (uint8_t)jf,
	    k };
}

static void
emit_load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
emit_return(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Each call of the list has the action; the number is in the accumulator. */
static void
emit_list(struct program *p, const int *list, uint32_t action)
{
	for (; *list != END; list++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)*list, 0, 1);
		emit_return(p, action);
	}
}

/* The lower half of argument i: both architectures are little-endian. */
static size_t
arg_offset(unsigned i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);
}

/*
 * Call nr is allowed if its argument i has all bits of must and none of
 * must_not; otherwise it is decided further down, with the number loaded again.
 */
static void
emit_if(struct program *p, int nr, unsigned i, uint32_t must,
    uint32_t must_not)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 5);
	emit_load(p, arg_offset(i));
	emit(p, BPF_ALU | BPF_AND | BPF_K, must | must_not, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, must, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

/* Call nr fails if its argument i is value. */
static void
emit_refuse(struct program *p, int nr, unsigned i, uint32_t value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4);
	emit_load(p, arg_offset(i));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	emit_return(p, SECCOMP_RET_ERRNO | EPERM);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

/* Call nr is allowed if its argument i, a pointer, is NULL. */
static void
emit_if_null(struct program *p, int nr, unsigned i)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 6);
	emit_load(p, arg_offset(i));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	emit_load(p, arg_offset(i) + sizeof(uint32_t));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

static void
emit_start(struct program *p)
{
	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, FOREIGN_BIT, 0, 1);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

static void
make_login(struct program *p, enum sandbox_kind kind)
{
	emit_list(p, common, SECCOMP_RET_ALLOW);
	emit_list(p, login, SECCOMP_RET_ALLOW);
	if (kind == SANDBOX_FORKER)
		emit_list(p, forker, SECCOMP_RET_ALLOW);
	/* Memory, never code and never a file. */
	emit_if(p, SYS_mprotect, 2, 0, PROT_EXEC);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 6);
	emit_load(p, arg_offset(2));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 3, 0);
	emit_load(p, arg_offset(3));
	emit(p, BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_list(p, login_refused, SECCOMP_RET_ERRNO | EACCES);
#ifdef WITH_SANITIZERS
	emit_return(p, SECCOMP_RET_ERRNO | EPERM);
#else
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
#endif
}

static void
make_session(struct program *p)
{
	uint32_t self = (uint32_t)getpid();

	emit_list(p, common, SECCOMP_RET_ALLOW);
	/* Descriptors that send signals to others: the sessions of other users
	 * may have our uid. */
	emit_refuse(p, SYS_fcntl, 1, F_SETOWN);
	emit_refuse(p, SYS_fcntl, 1, F_SETOWN_EX);
	emit_list(p, session, SECCOMP_RET_ALLOW);
	/* To whom a socket is connected, and to nobody else: the one to syslog
	 * could be used to write to other sockets in the file system. */
	emit_if_null(p, SYS_sendto, 4);
	/* iconv loads its converters: code may be mapped, but not what can be
	 * written. */
	emit_if(p, SYS_mmap, 2, 0, PROT_EXEC);
	emit_if(p, SYS_mmap, 2, PROT_EXEC, PROT_WRITE);
	emit_if(p, SYS_mprotect, 2, 0, PROT_EXEC);
	/* Signal 0: does the owner of a lock live? */
	emit_if(p, SYS_kill, 1, 0, UINT32_MAX);
	/* abort() signals itself. */
	emit_if(p, SYS_tgkill, 0, self, ~self);
	emit_return(p, SECCOMP_RET_ERRNO | EPERM);
}

int
sandbox_seccomp(enum sandbox_kind kind)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.code };

	emit_start(&p);
	if (kind == SANDBOX_SESSION)
		make_session(&p);
	else
		make_login(&p, kind);
	if (p.is_full)
		return ERR_LIMIT;
	prog.len = p.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_from_errno(errno);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == -1)
		return errno == EINVAL || errno == ENOSYS ? ERR_UNSUPPORTED :
		    err_from_errno(errno);
	return 0;
}

#else

int
sandbox_seccomp(enum sandbox_kind kind)
{
	(void)kind;
	return ERR_UNSUPPORTED;
}

#endif
