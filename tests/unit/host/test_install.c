/* SPDX-License-Identifier: Apache-2.0 */
/* Installing and removing on a file system that loses power, fills up and refuses, with a systemd that starts only what is whole. */
#include "host/install.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding/hex.h"
#include "host/credentials.h"
#include "host/facts.h"
#include "host/unit_text.h"
#include "pack/tar/archive.h"
#include "supervisor/state.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/walk.h"

#define STATE "/var/lib/holdfast"
#define HOST STATE "/host"
#define UNIT "/etc/systemd/system/holdfast-agent.service"
#define UNIT_TEXT HF_HOSTLIFE_UNIT_MARK "\n[Service]\n"
#define ENVIRONMENT "NODE_NAME=\"n1\"\n"
#define BOOT "/run/holdfast/boot"
#define UUID "/proc/sys/kernel/random/uuid"

static struct hf_simfs *disk;
static struct hf_hostlife_place place;
static struct hf_err err;

/* A systemd that has one unit. */
static struct {
    bool there, enabled, running;
    unsigned starts, restarts;
    int fail;
} manager;

static bool is_there(const char *path)
{
    struct stat st;

    return hf_simfs_stat(disk, path, &st);
}

/* A file in the folder that <host>/`link` names. None of these calls counts. */
static bool leads_to(const char *folder, const char *link, const char *name)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, link);
    const char *target = hf_simfs_link_text(disk, path);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target != NULL ? target : "?", name);
    return is_there(path);
}

static bool has(const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(disk, path, &n);

    return bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static int act(void *ctx, enum hf_unit_act what, struct hf_err *error)
{
    (void)ctx;
    if (what == HF_UNIT_START && manager.fail != 0)
        return hf_err_set(error, -manager.fail, "does not start");
    if (what == HF_UNIT_START) {
        /* Only what is whole is ever started. */
        ck_assert(has(UNIT, UNIT_TEXT) && has(HOST "/agent.env", ENVIRONMENT));
        ck_assert(leads_to(HOST, "current", "holdfast-agent") && leads_to(HOST, "good", "holdfast-agent"));
        ck_assert(leads_to(HOST "/supervisor", "current", "holdfast-supervisor") && is_there(HOST "/persisted"));
        manager.running = true;
        manager.starts++;
    } else if (what == HF_UNIT_STOP) {
        manager.running = false;
    } else if (what == HF_UNIT_ENABLE || what == HF_UNIT_DISABLE) {
        manager.enabled = what == HF_UNIT_ENABLE;
    } else {
        manager.there = is_there(UNIT);
    }
    return 0;
}

static int restart(void *ctx, struct hf_err *error)
{
    (void)ctx;
    (void)error;
    manager.restarts++;
    return 0;
}

static int state(void *ctx, char active[HF_HOSTLIFE_STATE], struct hf_err *error)
{
    (void)ctx;
    (void)snprintf(active, HF_HOSTLIFE_STATE, "%s", manager.running ? "active" : "inactive");
    return manager.there ? 0 : hf_err_set(error, ENOENT, "no such unit");
}

static const struct hf_hostlife_systemd systemd = {NULL, act, restart, state};

static void put(const char *path, const char *text)
{
    hf_simfs_put(disk, path, text, strlen(text), 0755);
}

static void set_up(void)
{
    disk = hf_simfs_new();
    err = (struct hf_err)HF_ERR_INIT;
    memset(&manager, 0, sizeof(manager));
    place = (struct hf_hostlife_place){hf_simfs_ops(disk),  STATE,           "/etc/systemd/system",
                                       "/usr/lib/holdfast", "/run/holdfast", "/usr/local/bin"};
    hf_simfs_mkdir(disk, STATE, 0700);
    hf_simfs_mkdir(disk, "/etc/systemd/system", 0755);
    hf_simfs_mkdir(disk, "/usr/local/bin", 0755);
    put("/usr/lib/holdfast/host/holdfast-agent", "agent 1");
    put("/usr/lib/holdfast/host/holdfast", "command 1");
    put("/usr/lib/holdfast/supervisor/holdfast-supervisor", "supervisor 1");
    put(UUID, "boot-1\n");
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(disk), 0);
    hf_simfs_free(disk);
}

static const struct hf_hostlife_wanted wanted = {
    {UNIT_TEXT, sizeof(UNIT_TEXT) - 1}, {ENVIRONMENT, sizeof(ENVIRONMENT) - 1}, false};

static int install(void)
{
    const struct hf_hostlife_install what = {&place, &systemd, wanted.unit, wanted.environment, "1.0.0"};
    enum hf_hostlife_reason reason = HF_HOSTLIFE_NO_REASON;

    err = (struct hf_err)HF_ERR_INIT;
    return hf_hostlife_install(&what, &reason, &err);
}

static enum hf_hostlife_act plan(enum hf_hostlife_reason *ret_reason)
{
    struct hf_hostlife_facts facts;
    char message[HF_HOSTLIFE_TEXT];

    hf_hostlife_facts(&place, &systemd, &wanted, &facts, message);
    struct hf_hostlife_plan made = hf_hostlife_plan(HF_HOSTLIFE_AUTO, &facts);
    *ret_reason = made.reason;
    return made.act;
}

static void expect(enum hf_hostlife_act want, enum hf_hostlife_reason want_reason)
{
    enum hf_hostlife_reason reason;
    enum hf_hostlife_act got = plan(&reason);

    ck_assert_msg(got == want && reason == want_reason, "%s %s", hf_hostlife_act_name(got),
                  hf_hostlife_reason_name(reason));
}

static void check_whole(void)
{
    struct stat st;

    ck_assert(manager.running && manager.enabled);
    ck_assert(leads_to(HOST, "current", "holdfast"));
    ck_assert_str_eq(hf_simfs_link_text(disk, HOST "/current"), hf_simfs_link_text(disk, HOST "/good"));
    ck_assert_str_eq(hf_simfs_link_text(disk, "/usr/local/bin/holdfast"), HOST "/current/holdfast");
    ck_assert(hf_simfs_stat(disk, HOST, &st) && (st.st_mode & 0777) == 0700);
    ck_assert(hf_simfs_stat(disk, HOST "/agent.env", &st) && (st.st_mode & 0777) == 0600);
    ck_assert(hf_simfs_is_durable(disk, UNIT) && hf_simfs_is_durable(disk, HOST "/agent.env") &&
              hf_simfs_is_durable(disk, HOST "/persisted"));
    expect(HF_HOSTLIFE_WATCH, HF_HOSTLIFE_NO_REASON);
}

START_TEST(installs_once)
{
    expect(HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON);
    ck_assert_msg(install() == 0, "%s", err.cause);
    check_whole();
    uint64_t changes = hf_simfs_changes(disk);
    char slot[HF_HOSTLIFE_TEXT];
    (void)snprintf(slot, sizeof(slot), "%s", hf_simfs_link_text(disk, HOST "/current"));
    ck_assert_int_eq(strncmp(slot, HF_HOST_BUILDS "/", sizeof(HF_HOST_BUILDS)), 0);
    ck_assert_uint_eq(strlen(slot), sizeof(HF_HOST_BUILDS) + 64);
    ck_assert(!is_there(HOST "/" HF_HOST_BUILDS "/first"));

    put("/usr/lib/holdfast/host/holdfast-agent", "agent 2"); /* another image, older or newer */
    put("/usr/lib/holdfast/supervisor/holdfast-supervisor", "supervisor 2");
    expect(HF_HOSTLIFE_WATCH, HF_HOSTLIFE_NO_REASON);
    hf_simfs_delete(disk, UNIT);
    expect(HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON);
    ck_assert_int_eq(install(), 0);
    ck_assert_str_eq(hf_simfs_link_text(disk, HOST "/current"), slot);
    ck_assert(has(HOST "/supervisor/1/holdfast-supervisor", "supervisor 1"));
    ck_assert_uint_gt(hf_simfs_changes(disk), changes);
}
END_TEST

/* The name is the one that a release of the same folder would have. */
START_TEST(the_build_is_named_as_a_release)
{
    _cleanup_(hf_archive_freep) struct hf_archive *archive = NULL;
    unsigned char digest[HF_SHA256_BYTES];
    char path[300], hex[HF_SHA256_HEX];

    ck_assert_int_eq(install(), 0);
    (void)snprintf(path, sizeof(path), HOST "/%s", hf_simfs_link_text(disk, HOST "/current"));
    int fd = place.fs->openat(place.fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(hf_archive_new(place.fs, fd, 0, NULL, &archive, &err), 0);
    ck_assert_int_eq(hf_archive_digest(archive, digest, &err), 0);
    ck_assert_str_eq(strrchr(path, '/') + 1, hf_hex_encode(digest, sizeof(digest), hex));
    (void)place.fs->close(place.fs->ctx, fd);
}
END_TEST

/* Somebody removed the program of the only build: `current` leads nowhere, and the same build is made again. */
START_TEST(a_build_without_its_program)
{
    char slot[300], program[400];

    ck_assert_int_eq(install(), 0);
    (void)snprintf(slot, sizeof(slot), "%s", hf_simfs_link_text(disk, HOST "/current"));
    (void)snprintf(program, sizeof(program), HOST "/%s/holdfast-agent", slot);
    hf_simfs_delete(disk, program);
    expect(HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON);
    ck_assert_msg(install() == 0, "%s", err.cause);
    ck_assert_str_eq(hf_simfs_link_text(disk, HOST "/current"), slot);
    ck_assert(has(program, "agent 1"));
    check_whole();
}
END_TEST

/* Power cuts at each call of an installation; the pod starts again and finishes it. */
START_TEST(power_cuts_while_it_installs)
{
    for (uint64_t n = hf_walk_next("host-install", 0);; n = hf_walk_next("host-install", n)) {
        tear_down();
        set_up();
        hf_simfs_stop_at(disk, n);
        int r = install();
        bool cut = hf_simfs_stopped(disk);
        hf_simfs_power_cut(disk, n * 31);
        hf_simfs_delete(disk, BOOT);
        memset(&manager, 0, sizeof(manager));
        ck_assert_msg(install() == 0, "cut at %d: %s", (int)n, err.cause);
        check_whole();
        if (!cut) {
            ck_assert_int_eq(r, 0);
            break;
        }
    }
}
END_TEST

/* Each write fails once, as on a full disk: what is there then is removed, and nothing stays but the state. */
START_TEST(a_full_disk_leaves_nothing)
{
    for (uint64_t n = 1;; n++) {
        tear_down();
        set_up();
        put(STATE "/clock", "kept");
        hf_simfs_count_only(disk, HF_SIMFS_GROWS);
        hf_simfs_fail_at(disk, n, ENOSPC, 1);
        int r = install();
        bool failed = hf_simfs_failed(disk) > 0;
        hf_simfs_fail_at(disk, 0, 0, 0);
        ck_assert_msg(r < 0 || !failed || manager.running, "call %d", (int)n);
        ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
        ck_assert(!is_there(HOST) && !is_there(UNIT) && !manager.running && !manager.enabled);
        ck_assert(has(STATE "/clock", "kept") && hf_simfs_link_text(disk, "/usr/local/bin/holdfast") == NULL);
        if (!failed)
            break;
    }
}
END_TEST

START_TEST(power_cuts_while_it_removes)
{
    for (uint64_t n = hf_walk_next("host-remove", 0);; n = hf_walk_next("host-remove", n)) {
        tear_down();
        set_up();
        ck_assert_int_eq(install(), 0);
        hf_simfs_stop_at(disk, n);
        int r = hf_hostlife_remove(&place, &systemd, &err);
        bool cut = hf_simfs_stopped(disk);
        hf_simfs_power_cut(disk, n * 17);
        ck_assert(cut || r == 0);
        ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
        ck_assert(!is_there(HOST) && !is_there(UNIT) && !manager.running);
        if (!cut)
            break;
    }
}
END_TEST

START_TEST(what_is_not_ours_stays)
{
    put(UNIT, "[Service]\nExecStart=/usr/bin/holdfast-agent\n");
    put("/usr/local/bin/holdfast", "somebody's");
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_ALREADY_ON_HOST);
    manager.running = manager.there = true;
    ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
    ck_assert(manager.running && is_there(UNIT) && has("/usr/local/bin/holdfast", "somebody's"));
    hf_simfs_delete(disk, UNIT); /* a package has it below /usr/lib, where the pod does not see it */
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_ALREADY_ON_HOST);
    manager.there = false;
    ck_assert_int_eq(install(), 0);
    ck_assert(has("/usr/local/bin/holdfast", "somebody's"));
}
END_TEST

START_TEST(hosts_that_cannot)
{
    put("/etc/os-release", "NAME=Talos\nID=talos\n");
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_UNSUITABLE);
    put("/etc/os-release", "ID=\"bottlerocket\"\n");
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_UNSUITABLE);
    put("/etc/os-release", "ID_LIKE=talos\nID=debian\n");
    expect(HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON);
    hf_simfs_delete(disk, "/usr/lib/holdfast/host/holdfast-agent");
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_NO_BUILD);
}
END_TEST

/* Another user would give root its programs. What runs already is not taken away for it. */
START_TEST(folders_open_to_others)
{
    hf_simfs_chmod(disk, STATE, 0777);
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_OPEN_FOLDER);
    hf_simfs_chmod(disk, STATE, 0755);
    hf_simfs_chown(disk, STATE, geteuid() + 1000, 0);
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_OPEN_FOLDER);
    /* He says that it is installed, with programs of his own; as root's folder, they are still his. */
    const struct hf_hostlife_mark mark = {.version = "1.0.0"};
    hf_simfs_mkdir(disk, HOST, 0755);
    hf_simfs_chown(disk, HOST, geteuid() + 1000, 0);
    ck_assert_int_eq(hf_hostlife_mark_save(&place, &mark, &err), 0);
    put(HOST "/current/holdfast-agent", "his");
    put(HOST "/supervisor/current/holdfast-supervisor", "his");
    expect(HF_HOSTLIFE_REMOVE, HF_HOSTLIFE_R_OPEN_FOLDER);
    hf_simfs_chown(disk, STATE, geteuid(), 0);
    expect(HF_HOSTLIFE_REMOVE, HF_HOSTLIFE_R_OPEN_FOLDER);
    ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
    expect(HF_HOSTLIFE_INSTALL, HF_HOSTLIFE_NO_REASON);
    ck_assert_int_eq(install(), 0);
    hf_simfs_chmod(disk, STATE, 0777);
    expect(HF_HOSTLIFE_WATCH, HF_HOSTLIFE_NO_REASON);
}
END_TEST

START_TEST(a_reboot_proves_the_place)
{
    ck_assert_int_eq(hf_hostlife_prove(&place), HF_HOSTLIFE_NO_REASON);
    ck_assert_int_eq(install(), 0);
    ck_assert_int_eq(hf_hostlife_prove(&place), HF_HOSTLIFE_R_INSTALLED);
    put(BOOT, "boot-2\n");
    expect(HF_HOSTLIFE_WATCH, HF_HOSTLIFE_NO_REASON);
    ck_assert_int_eq(hf_hostlife_prove(&place), HF_HOSTLIFE_R_PERSISTS);
    put(BOOT, "boot-1\n");
    ck_assert_int_eq(hf_hostlife_prove(&place), HF_HOSTLIFE_R_PERSISTS);
}
END_TEST

/* /etc is made anew at each boot: the second start of the pod knows, and so does each later one. */
START_TEST(units_that_do_not_persist)
{
    const struct hf_hostlife_decision decision = {HF_HOSTLIFE_REMOVE, HF_HOSTLIFE_R_NOT_PERSISTENT, ""};

    ck_assert_int_eq(install(), 0);
    put(BOOT, "boot-2\n");
    hf_simfs_delete(disk, UNIT);
    memset(&manager, 0, sizeof(manager));
    expect(HF_HOSTLIFE_REMOVE, HF_HOSTLIFE_R_NOT_PERSISTENT);
    ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
    ck_assert_int_eq(hf_hostlife_decision_save(&place, &decision, &err), 0);
    expect(HF_HOSTLIFE_STAY_POD, HF_HOSTLIFE_R_NOT_PERSISTENT);
}
END_TEST

START_TEST(other_texts_restart_it)
{
    const struct hf_hostlife_install what = {&place, &systemd, wanted.unit, wanted.environment, "1.0.0"};
    enum hf_hostlife_reason reason;

    ck_assert_int_eq(install(), 0);
    put(HOST "/agent.env", "NODE_NAME=\"n2\"\n");
    expect(HF_HOSTLIFE_REFRESH, HF_HOSTLIFE_NO_REASON);
    ck_assert_int_eq(hf_hostlife_refresh(&what, &reason, &err), 0);
    ck_assert_uint_eq(manager.restarts, 1);
    check_whole();
}
END_TEST

START_TEST(a_unit_that_does_not_start)
{
    manager.fail = -EIO;
    ck_assert_int_eq(install(), -EIO);
    ck_assert_int_eq(hf_hostlife_remove(&place, &systemd, &err), 0);
    ck_assert(!is_there(UNIT) && !is_there(HOST));
}
END_TEST

START_TEST(credentials_follow_the_pods)
{
    struct stat st;

    put("/account/ca.crt", "ca");
    put("/account/token", "token 1");
    ck_assert_int_eq(hf_hostlife_credentials_sync(&place, "/account", "https://10.0.0.1:443", &err), 0);
    ck_assert(has(HOST "/pod/token", "token 1") && has(HOST "/pod/ca.crt", "ca") && is_there(HOST "/pod/kubeconfig"));
    ck_assert(hf_simfs_stat(disk, HOST "/pod/token", &st) && (st.st_mode & 0777) == 0600);
    uint64_t changes = hf_simfs_changes(disk);
    ck_assert_int_eq(hf_hostlife_credentials_sync(&place, "/account", "https://10.0.0.1:443", &err), 0);
    ck_assert_uint_eq(hf_simfs_changes(disk), changes);
    put("/account/token", "token 2");
    ck_assert_int_eq(hf_hostlife_credentials_sync(&place, "/account", "https://10.0.0.1:443", &err), 0);
    ck_assert(has(HOST "/pod/token", "token 2"));
}
END_TEST

/* A kernel with SELinux, as a container sees it, on a host with the reference policy. */
static unsigned programs, units;
static bool refuses;

static ssize_t read_label(void *ctx, int fd, const char *name, void *value, size_t n)
{
    struct stat st;
    bool folder = hf_simfs_ops(disk)->fstat(ctx, fd, &st) == 0 && S_ISDIR(st.st_mode);
    const char *label = folder ? "system_u:object_r:systemd_unit_t:s0" : "system_u:object_r:container_file_t:s0:c1,c2";

    ck_assert_str_eq(name, "security.selinux");
    ck_assert_uint_gt(n, strlen(label));
    memcpy(value, label, strlen(label) + 1);
    return (ssize_t)strlen(label) + 1;
}

static int write_label(void *ctx, int fd, const char *name, const void *value, size_t n)
{
    (void)ctx;
    ck_assert_int_ge(fd, 0);
    ck_assert_str_eq(name, "security.selinux");
    ck_assert_uint_eq(n, strlen(value) + 1);
    programs += strcmp(value, "system_u:object_r:bin_t:s0") == 0;
    units += strcmp(value, "system_u:object_r:systemd_unit_t:s0") == 0;
    return refuses ? -EINVAL : 0;
}

/* Programs get bin_t, the unit the type of its folder. A kernel that refuses ends it before the unit is there. */
START_TEST(labels)
{
    struct hf_fs_ops labelled = *hf_simfs_ops(disk);

    labelled.fgetxattr = read_label;
    labelled.fsetxattr = write_label;
    place.fs = &labelled;
    programs = units = 0;
    refuses = _i == 1;
    ck_assert_int_eq(install(), refuses ? -EKEYREJECTED : 0);
    ck_assert_uint_gt(programs, 0);
    ck_assert_uint_eq(units, refuses ? 0 : 1);
    ck_assert_int_eq(is_there(UNIT), !refuses);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, installs_once);
    tcase_add_test(tc, the_build_is_named_as_a_release);
    tcase_add_test(tc, a_build_without_its_program);
    tcase_add_test(tc, power_cuts_while_it_installs);
    tcase_add_test(tc, a_full_disk_leaves_nothing);
    tcase_add_test(tc, power_cuts_while_it_removes);
    tcase_add_test(tc, what_is_not_ours_stays);
    tcase_add_test(tc, hosts_that_cannot);
    tcase_add_test(tc, folders_open_to_others);
    tcase_add_test(tc, a_reboot_proves_the_place);
    tcase_add_test(tc, units_that_do_not_persist);
    tcase_add_test(tc, other_texts_restart_it);
    tcase_add_test(tc, a_unit_that_does_not_start);
    tcase_add_test(tc, credentials_follow_the_pods);
    tcase_add_loop_test(tc, labels, 0, 2);
}

HF_TEST_MAIN("host/install", cases)
