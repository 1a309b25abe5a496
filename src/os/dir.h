/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The directory of one daemon on this machine: all the names it has (decision D7).
 *
 *   ${PVM_TMP:-/tmp}/pvm-<uid>/<vmid>/<host>/  lock sock log join-*
 *   ${PVM_TMP:-/tmp}/pvm-<uid>/<vmid>/here     link to the <host> that other programs connect to
 *
 * Every level is 0700, ours, and no symbolic link, or it is refused. The lock is held by flock() as
 * long as the daemon or its guardian lives; who gets it removes what a dead daemon left. A daemon
 * that programs can connect to has both a lock that is held and a sock; changes of `here` are made
 * under a lock on <vmid> itself, so that daemons that come and go together leave it right.
 */
#ifndef OS_DIR_H
#define OS_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIR_PATH_BYTES_MAX = 4096, DIR_ERROR_BYTES = 1024, DIR_VMID_BYTES_MAX = 64 };

struct host_dir {
    char user_path[DIR_PATH_BYTES_MAX]; /* .../pvm-<uid> */
    char vm_path[DIR_PATH_BYTES_MAX];   /* .../pvm-<uid>/<vmid> */
    char path[DIR_PATH_BYTES_MAX];      /* .../pvm-<uid>/<vmid>/<host> */
    char sock_path[DIR_PATH_BYTES_MAX];
    int lock_fd;
};

enum dir_result { DIR_OK, DIR_ERROR, DIR_TAKEN /* another daemon serves this host */ };

/* True when |vmid| can be a name in the directory: letters, digits, '.', '_', '-', not starting
 * with a dot, at most DIR_VMID_BYTES_MAX. */
bool dir_vmid_is_sane(const char *vmid);
/* Makes the directories, takes the lock, removes what a dead daemon left. |tmp| NULL or "" = /tmp;
 * |vmid| NULL or "" = "default"; bytes of |host| that are no good in a file name are written %XX.
 * Otherwise one line of words at |error| and nothing is held. */
enum dir_result dir_open(struct host_dir *dir, const char *tmp, const char *vmid, const char *host,
                         char error[DIR_ERROR_BYTES]);
/* Writes the process number of the daemon into the lock file, for the message of a second one. */
void dir_set_owner(const struct host_dir *dir, long pid);
/* A new log file, or -1 with errno. */
int dir_open_log(const struct host_dir *dir);
/* Removes the files join-<number>-* (join tokens, pvmd/token.h), of 0 all join-*. */
void dir_remove_token(const struct host_dir *dir, uint64_t number);
/* The socket of some other daemon of this virtual machine that lives on this machine. */
bool dir_find_living(const struct host_dir *dir, char sock_path[DIR_PATH_BYTES_MAX]);
/* Makes `here` point to this host unless it points to another living daemon; with |take_over| even
 * then: who starts a master wants to talk to that one. 0 or -1 with errno: EBUSY when others keep
 * the directory of the virtual machine locked for long, of whom one may be stopped. */
int dir_claim_here(const struct host_dir *dir, bool take_over);
/* Nobody answers here any more: the socket goes, and `here` goes to another living daemon when it
 * was ours. What else there is stays until dir_remove(). */
void dir_abandon(const struct host_dir *dir);
/* Removes socket, lock, directory, `here` when it was ours (and gives it to another living daemon),
 * and the log unless |keep_log|. The lock stays held until dir_close(). */
void dir_remove(const struct host_dir *dir, bool keep_log);
void dir_close(struct host_dir *dir);

#endif
