/* SPDX-License-Identifier: Apache-2.0 */
/* support/simfs_impl.h - what simfs.c (calls), simfs_node.c (inodes, names, paths), simfs_cut.c (the medium) and
 * simfs_scene.c (for tests) share. */
#pragma once

#include <limits.h>

#include "support/fakes/simfs.h"

enum {
    SIM_BLOCK = 4096,
    SIM_SECTOR = 512,
    SIM_FD_BASE = 1000,
    SIM_MAX_FDS = 256,
    SIM_TRACE = 96,
    SIM_KINDS = 40,
    SIM_MAX_LINKS = 40
};

struct sim_blob {
    unsigned char *p;
    size_t n;
};

struct sim_xattr {
    char *name;
    struct sim_blob value;
};

struct sim_meta {
    mode_t mode; /* with the type */
    uid_t uid;
    gid_t gid;
    struct sim_xattr *xattrs;
    size_t n_xattrs;
};

struct sim_name {
    char *name;
    struct sim_node *node;
};

struct sim_names { /* sorted */
    struct sim_name *p;
    size_t n;
};

struct sim_device {
    dev_t id;
    uint64_t limit; /* 0 none */
    bool read_only;
    uint64_t used; /* sim_used(), kept by sim_count() */
    struct sim_device *next;
};

/* What was written to a block, as far as the medium knows. */
enum sim_block_state { SIM_RESERVED, SIM_WRITTEN, SIM_SYNCED };

struct sim_node {
    ino_t ino;
    struct sim_device *device;
    struct sim_blob live, kept; /* content; a symbolic link's text is in live */
    struct sim_blob blocks;     /* an enum sim_block_state for each of the first blocks; SIM_RESERVED for the others */
    /* 1 for each of the first blocks that the cache takes for clean although the medium does not have it */
    struct sim_blob lost;
    bool synced;     /* live and kept are equal, and nothing is lost */
    bool unreadable; /* reads of the content give -EIO */
    struct sim_meta meta, kept_meta;
    struct sim_names names, kept_names; /* of a folder */
    struct sim_node *parent;            /* of a folder */
    uint64_t changed_ns;                /* a counter, as mtime and ctime */
    bool reached;                       /* scratch of the collector */
    unsigned links;                     /* number of live names */
    unsigned opened;                    /* number of descriptors */
    uint64_t counted;                   /* its share of device->used */
    struct sim_node *next;
};

struct sim_change {
    struct sim_node *dir;
    char *name;
    struct sim_node *node; /* NULL: the name goes */
};

struct sim_op { /* one step on names, not on the medium yet */
    struct sim_change changes[2];
    int n;
};

struct sim_fd {
    struct sim_node *node; /* NULL: free */
    int flags;
    int lock; /* LOCK_UN, LOCK_SH, LOCK_EX */
};

struct sim_kind { /* of call */
    const char *format;
    unsigned kind;
    uint64_t last;
};

struct hf_simfs {
    struct hf_fs_ops ops;
    struct sim_node *root;
    struct sim_node *nodes; /* all */
    struct sim_device *devices;
    struct sim_op *pending;
    size_t n_pending;
    struct sim_fd fds[SIM_MAX_FDS];
    ino_t next_ino;
    dev_t next_device;
    uint64_t ticks;
    unsigned counted;
    uint64_t calls, stop_at, fail_at, fail_times, failed, lose_journal_at;
    int fail_code;
    bool stopped, journal_lost, untraced;
    struct sim_kind kinds[SIM_KINDS]; /* of the calls since `armed` */
    struct sim_kind hit;
    uint64_t armed;
    int (*before)(void *arg);
    void *before_arg;
    char trace[SIM_TRACE][160];
    uint64_t n_trace;
};

/* Where a path leads: the folder and last name, and what is there (NULL: nothing yet). name "": the folder itself. */
struct sim_place {
    struct sim_node *dir;
    char name[NAME_MAX + 1];
    struct sim_node *node;
};

/* simfs_node.c */
void *sim_alloc(void *old, size_t n);
char *sim_strdup(const char *text);
void sim_blob_set(struct sim_blob *blob, const void *bytes, size_t n);
void sim_blob_resize(struct sim_blob *blob, size_t n);
void sim_meta_copy(struct sim_meta *to, const struct sim_meta *from);
void sim_meta_done(struct sim_meta *meta);
struct sim_node *sim_names_get(const struct sim_names *names, const char *name);
void sim_names_set(struct sim_names *names, const char *name, struct sim_node *node);
void sim_names_copy(struct sim_names *to, const struct sim_names *from);
void sim_names_done(struct sim_names *names);
struct sim_node *sim_node_new(struct hf_simfs *fs, struct sim_node *dir, mode_t mode);
void sim_node_free(struct sim_node *node);
int sim_resolve(struct hf_simfs *fs, struct sim_node *start, const char *path, unsigned resolve, bool follow,
                struct sim_place *ret);
/* After each change of what sim_used() counts: size, links, descriptors, device. */
void sim_count(struct sim_node *node);
/* Bytes in use, by blocks; a file without a name counts as long as it is open. */
uint64_t sim_used(const struct sim_device *device);
void sim_check_used(const struct hf_simfs *fs); /* aborts if a change was not counted */

/* simfs.c */
void sim_fill_stat(const struct hf_simfs *fs, const struct sim_node *node, struct stat *ret);
void sim_set_xattr(struct sim_node *node, const char *name, const void *value, size_t n);
void sim_add_name(struct hf_simfs *fs, struct sim_node *dir, char *name, struct sim_node *node);

/* simfs_cut.c */
void sim_record(struct hf_simfs *fs, const struct sim_op *op); /* done in memory, remembered as not on the medium */
void sim_sync_names(struct hf_simfs *fs, struct sim_node *dir, const char *name); /* NULL: all names of the folder */
void sim_sync_content(struct sim_node *node);
void sim_lose_content(struct sim_node *node); /* the sync failed */
void sim_show_lost(struct sim_node *node);    /* reads see the medium where content was lost */
void sim_sync_without_journal(struct sim_node *node);
void sim_sync_meta(struct sim_node *node);
void sim_op_done(struct sim_op *op);
