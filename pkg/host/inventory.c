/* SPDX-License-Identifier: Apache-2.0 */
#include "host/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "host/credentials.h"
#include "host/facts.h"
#include "os/file.h"

#define WATCHING HF_HOSTLIFE_POD_DIR "/watching"

int hf_hostlife_watch_lock(const struct hf_hostlife_place *place, struct hf_err *err)
{
    char path[PATH_MAX];

    return hf_file_lock(place->fs, hf_hostlife_path(place, WATCHING, path), err);
}

static bool is_watched(const struct hf_hostlife_place *place)
{
    const struct hf_fs_ops *fs = place->fs;
    char path[PATH_MAX];
    int fd = fs->openat(fs->ctx, AT_FDCWD, hf_hostlife_path(place, WATCHING, path), O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);

    if (fd < 0)
        return false;
    bool watched = fs->flock(fs->ctx, fd, LOCK_SH | LOCK_NB) == -EWOULDBLOCK;
    (void)fs->close(fs->ctx, fd);
    return watched;
}

/* The text of the link; "" if there is none, or it is too long. */
static void read_link(const struct hf_hostlife_place *place, const char *name, char *text, size_t n)
{
    char path[PATH_MAX];
    ssize_t got = place->fs->readlinkat(place->fs->ctx, AT_FDCWD, hf_hostlife_path(place, name, path), text, n);

    text[got > 0 && (size_t)got < n ? got : 0] = '\0';
}

static void read_slot(const struct hf_hostlife_place *place, const char *name, char slot[HF_HOST_SLOT])
{
    read_link(place, name, slot, HF_HOST_SLOT);
    if (!hf_supervisor_slot_is_valid(slot))
        slot[0] = '\0';
}

static void read_note(const struct hf_hostlife_place *place, const char *name, struct hf_supervisor_note *note)
{
    char text[HF_HOST_NOTE];

    read_link(place, name, text, sizeof(text));
    if (!hf_supervisor_note_parse(text, note))
        note->word[0] = '\0';
}

/* The reason of the condition HostLife, without noting that a boot has proven the place. */
static enum hf_hostlife_reason reason_of(const struct hf_hostlife_place *place, enum hf_hostlife_owner owner)
{
    struct hf_hostlife_decision decision;
    struct hf_hostlife_mark mark;

    if (owner == HF_HOSTLIFE_A_POD && hf_hostlife_mark_load(place, &mark, NULL) == 0)
        return mark.proven ? HF_HOSTLIFE_R_PERSISTS : HF_HOSTLIFE_R_INSTALLED;
    return hf_hostlife_decision_load(place, &decision, NULL) == 0 ? decision.reason : HF_HOSTLIFE_NO_REASON;
}

static enum hf_hostlife_owner owner_of(const struct hf_hostlife_place *place, const char *current)
{
    unsigned has = hf_hostlife_look_at_host(place, "");
    struct hf_hostlife_mark mark;

    if ((has & HF_HOSTLIFE_UNIT) != 0 || current[0] != '\0' || hf_hostlife_mark_load(place, &mark, NULL) == 0)
        return HF_HOSTLIFE_A_POD;
    return (has & HF_HOSTLIFE_FOREIGN_UNIT) != 0 ? HF_HOSTLIFE_ANOTHER : HF_HOSTLIFE_NOBODY;
}

int hf_hostlife_inventory(const struct hf_hostlife_place *place, struct hf_hostlife_inventory *ret_inventory,
                          struct hf_err *err)
{
    const struct hf_fs_ops *fs = place->fs;
    struct hf_hostlife_inventory inventory = {.owner = HF_HOSTLIFE_NOBODY};
    char path[PATH_MAX];
    int fd = fs->openat(fs->ctx, AT_FDCWD, hf_hostlife_path(place, "", path), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
                        HF_FS_ANY);

    if (fd < 0 && fd != -ENOENT)
        return hf_err_sys(err, fd, "open '%s'", path);
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    read_slot(place, HF_HOST_CURRENT, inventory.current);
    read_slot(place, HF_HOST_GOOD, inventory.good);
    read_slot(place, HF_HOST_PREVIOUS, inventory.previous);
    read_slot(place, "supervisor/current", inventory.supervisor);
    read_note(place, HF_HOST_VERDICT, &inventory.verdict);
    read_note(place, HF_HOST_TRIAL, &inventory.trial);
    inventory.owner = owner_of(place, inventory.current);
    inventory.reason = reason_of(place, inventory.owner);
    inventory.watched = is_watched(place);
    *ret_inventory = inventory;
    return 0;
}
