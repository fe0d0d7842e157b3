/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts on mounts: what a path is on its file system. */
#include "manifests/files/mount_table.h"

#include <errno.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

static const char mountinfo[] = "21 1 8:2 / / rw shared:1 - ext4 /dev/sda2 rw\n"
                                "22 21 0:5 / /dev rw - devtmpfs none rw\n"
                                "30 21 8:2 /etc/holdfast/trust.d /data/a rw - ext4 /dev/sda2 rw\n"
                                "31 21 8:2 /etc /data/b rw - ext4 /dev/sda2 rw\n"
                                "32 21 8:3 / /var rw - ext4 /dev/sda3 rw\n"
                                "33 32 8:3 /with\\040blank /var/x\\134y rw - ext4 /dev/sda3 rw\n"
                                "34 32 8:4 / /var/hidden/deep rw - ext4 /dev/sda4 rw\n"
                                "35 32 0:40 / /var/hidden rw - tmpfs none rw\n"
                                "36 35 0:41 / /var/hidden rw - tmpfs none rw\n"
                                "37 21 0:4 net:[4026532000] /run/netns/a rw - nsfs nsfs rw\n"
                                "38 21 0:50 / /data/o rw shared:9 - overlay over\\040lay rw,lowerdir=/a:/b,"
                                "upperdir=/etc/a\\054b\\040c,workdir=/w\n"
                                "39 21 0:51 / /data/p ro - overlay overlay ro,lowerdir=/a:/b\n"
                                "40 21 0:52 / /data/q rw - overlay overlay rw,upperdir=here,workdir=/w\n"
                                "41 21 8:5 / /data/r rw - ext4 upperdir=/x rw,upperdir=/y\n"
                                "42 38 0:50 /sub /data/o/s rw - overlay over\\040lay rw,upperdir=/etc/last\n"
                                "cut off";

static const struct {
    const char *path, *device, *origin;
    bool is_point;
    const char *upper;
} rows[] = {
    {"/", "8:2", "/", true, NULL},
    {"/data", "8:2", "/data", false, NULL},
    {"/data/a", "8:2", "/etc/holdfast/trust.d", true, NULL},
    {"/data/a/k1.pem", "8:2", "/etc/holdfast/trust.d/k1.pem", false, NULL},
    {"/data/ab", "8:2", "/data/ab", false, NULL},
    {"/data/b/holdfast/none/yet", "8:2", "/etc/holdfast/none/yet", false, NULL},
    {"/dev", "0:5", "/", true, NULL},
    {"/dev/null", "0:5", "/null", false, NULL},
    {"/var/lib", "8:3", "/lib", false, NULL},
    {"/var/x\\y/z", "8:3", "/with blank/z", false, NULL},
    {"/var/hidden", "0:41", "/", true, NULL},
    {"/var/hidden/deep/x", "0:41", "/deep/x", false, NULL},
    {"/run/netns/a", "8:2", "/run/netns/a", false, NULL},
    {"/data/o/x", "0:50", "/x", false, "/etc/a,b c"},
    {"/data/o/s/x", "0:50", "/sub/x", false, "/etc/last"},
    {"/data/p", "0:51", "/", true, NULL},
    {"/data/q", "0:52", "/", true, NULL},
    {"/data/r", "8:5", "/", true, NULL},
};

START_TEST(finds)
{
    struct hf_mount_table table = HF_MOUNT_TABLE_INIT;
    struct hf_simfs *fs = hf_simfs_new();
    char origin[64];

    hf_simfs_put(fs, "/proc/self/mountinfo", mountinfo, sizeof(mountinfo) - 1, 0444);
    ck_assert_int_eq(hf_mount_table_read(hf_simfs_ops(fs), &table, NULL), 0);
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const struct hf_mount *mount = hf_mount_table_find(&table, rows[i].path);
        ck_assert_msg(mount != NULL && strcmp(mount->device, rows[i].device) == 0, "%s", rows[i].path);
        ck_assert_int_eq(hf_mount_table_origin(mount, rows[i].path, origin, sizeof(origin)), 0);
        ck_assert_msg(strcmp(origin, rows[i].origin) == 0, "%s: %s", rows[i].path, origin);
        ck_assert_pstr_eq(mount->upper, rows[i].upper);
        ck_assert_msg(hf_mount_table_is_point(&table, rows[i].path) == rows[i].is_point, "%s", rows[i].path);
    }
    ck_assert_ptr_null(hf_mount_table_find(&table, "relative"));
    ck_assert_int_eq(hf_mount_table_origin(hf_mount_table_find(&table, "/data/a"), "/data/a/x", origin, 10),
                     -ENAMETOOLONG);
    hf_mount_table_done(&table);
    hf_simfs_free(fs);
}
END_TEST

START_TEST(knows_nothing_without_proc)
{
    struct hf_mount_table table = HF_MOUNT_TABLE_INIT;
    struct hf_simfs *fs = hf_simfs_new();

    ck_assert_int_eq(hf_mount_table_read(hf_simfs_ops(fs), &table, NULL), 0);
    ck_assert_ptr_null(hf_mount_table_find(&table, "/data"));
    ck_assert(!hf_mount_table_is_point(&table, "/"));
    hf_mount_table_done(&table);
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, finds);
    tcase_add_test(tc, knows_nothing_without_proc);
}

HF_TEST_MAIN("manifests/mount_table", cases)
