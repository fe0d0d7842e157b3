/* SPDX-License-Identifier: Apache-2.0 */
/* What a node lacks to run pods alone, and that K3s' own containerd counts when it is there. */
#include "alone/places.h"

#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define K3S "/var/lib/rancher/k3s"

static const struct {
    const char *files[6];
    const char *found; /* its containerd, or NULL */
    const char *said;
} rows[] = {
    {{"/usr/local/bin/k3s"}, NULL, "K3s has not unpacked"},
    {{"/usr/local/bin/k3s", "/usr/bin/containerd", "/etc/containerd/config.toml"}, NULL, "K3s has not unpacked"},
    {{"/usr/bin/k3s", K3S "/data/current/bin/containerd", K3S "/data/current/bin/crictl"}, NULL, "and configured"},
    {{"/usr/local/bin/k3s", K3S "/data/current/bin/containerd", K3S "/agent/etc/containerd/config.toml",
      K3S "/data/current/bin/crictl"},
     K3S "/data/current/bin/containerd",
     NULL},
    {{"/usr/bin/containerd", "/etc/containerd/config.toml"}, NULL, "there is no /usr/bin/crictl"},
    {{"/usr/local/bin/k3s", "/usr/bin/containerd", "/etc/containerd/config.toml", "/usr/local/bin/crictl"},
     "/usr/bin/containerd",
     NULL},
    {{NULL}, NULL, "there is no containerd"},
};

START_TEST(what_is_missing)
{
    struct hf_simfs *disk = hf_simfs_new();
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < HF_LEN(rows[_i].files) && rows[_i].files[i] != NULL; i++)
        hf_simfs_put(disk, rows[_i].files[i], "x", 1, 0755);
    const struct hf_alone_place *place = hf_alone_place_find(hf_simfs_ops(disk), &err);
    ck_assert_int_eq(place != NULL, rows[_i].found != NULL);
    if (place != NULL)
        ck_assert_str_eq(place->containerd, rows[_i].found);
    else
        ck_assert_msg(strstr(err.cause, rows[_i].said) != NULL, "%s", err.cause);
    hf_simfs_free(disk);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, what_is_missing, 0, HF_LEN(rows));
}

HF_TEST_MAIN("alone/places", cases)
