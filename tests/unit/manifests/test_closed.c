/* SPDX-License-Identifier: Apache-2.0 */
/* Overlays give a closed folder other names, in both directions. */
#include "manifests/files/closed.h"

#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

static const char mountinfo[] = "21 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
                                "30 21 0:50 / /data/keys rw - overlay none rw,lowerdir=/l,upperdir=/etc/trust.d\n"
                                "31 21 0:51 / /data/etc rw - overlay none rw,lowerdir=/l,upperdir=/etc,workdir=/w\n"
                                "32 21 0:50 / /data/bound rw - overlay none rw,lowerdir=/l,upperdir=/etc/trust.d\n"
                                "33 21 0:52 / /data/twice rw - overlay none rw,lowerdir=/l,upperdir=/data/etc/trust.d\n"
                                "34 21 0:53 / /data/free rw - overlay none rw,lowerdir=/l,upperdir=/srv\n"
                                "35 21 0:54 / /data/read ro - overlay none ro,lowerdir=/etc/trust.d:/l\n"
                                "36 21 0:55 / /data/round rw - overlay none rw,upperdir=/data/round\n"
                                "37 21 0:56 / /var rw - overlay none rw,lowerdir=/l,upperdir=/media/upper\n";

static const struct {
    const char *path, *closed;
} rows[] = {
    {"/etc/trust.d/k2.pem", "/etc/trust.d"},
    {"/data/keys/k2.pem", "/etc/trust.d"},
    {"/data/keys", "/etc/trust.d"},
    {"/data/bound/new/k2.pem", "/etc/trust.d"},
    {"/data/etc/trust.d/k2.pem", "/etc/trust.d"},
    {"/data/etc/other", NULL},
    {"/data/twice/k2.pem", "/etc/trust.d"},
    {"/data/free/k2.pem", NULL},
    {"/data/free/.holdfast-floors/x", ".holdfast-*"},
    {"/data/read/k2.pem", NULL},                              /* nothing can be written there */
    {"/data/round/x", NULL},                                  /* and it ends */
    {"/media/upper/lib/state/manifests/x", "/var/lib/state"}, /* where the overlay at /var keeps them */
    {"/media/upper/lib/other", NULL},
    {"/var/lib/state/x", "/var/lib/state"},
};

START_TEST(overlays)
{
    static const char *const folders[] = {"/etc/trust.d", "/var/lib/state", NULL};
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_closed *closed = NULL;

    hf_simfs_put(fs, "/proc/self/mountinfo", mountinfo, sizeof(mountinfo) - 1, 0444);
    ck_assert_int_eq(hf_closed_find(hf_simfs_ops(fs), "/", folders, true, &closed, NULL), 0);
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        const char *got = hf_closed_by_path(closed, rows[i].path);
        ck_assert_msg(rows[i].closed == NULL ? got == NULL : got != NULL && strcmp(got, rows[i].closed) == 0, "%s: %s",
                      rows[i].path, got != NULL ? got : "nothing");
    }
    hf_closed_free(closed);
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, overlays);
}

HF_TEST_MAIN("manifests/closed", cases)
