/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of crictl, as they are and as they should not be; where containerd's cgroups are. */
#include "alone/listing.h"

#include <errno.h>

#include "alone/places.h"
#include "alone/translate.h"
#include "support/check_main.h"

#define SANDBOX(id, labels, state)                                                                                     \
    "{\"id\":\"" id                                                                                                    \
    "\",\"metadata\":{\"name\":\"p\",\"uid\":\"u\",\"namespace\":\"n\",\"attempt\":0},\"state\":\"" state              \
    "\",\"createdAt\":\"1\",\"labels\":{" labels "}}"

START_TEST(sandboxes)
{
    static const char text[] = "time=\"x\" level=warning msg=\"about something\"\n{\"items\":[" SANDBOX(
        "a", "\"" HF_ALONE_LABEL "\":\"web\"",
        "SANDBOX_READY") "," SANDBOX("b", "\"io.kubernetes.pod.uid\":\"u\"",
                                     "SANDBOX_NOTREADY") "," SANDBOX("--all", "", "SANDBOX_READY") ",{\"id\":5},7]}\n";
    struct hf_listing listing = {.n_sandboxes = 0};

    ck_assert_int_eq(hf_listing_take_sandboxes(&listing, hf_view_of(text), NULL), 0);
    ck_assert_uint_eq(listing.n_sandboxes, 2); /* never an id that crictl would read as an option */
    ck_assert(listing.sandboxes[0].ours && listing.sandboxes[0].ready);
    ck_assert(!listing.sandboxes[1].ours && !listing.sandboxes[1].ready);
    hf_listing_done(&listing);
}
END_TEST

START_TEST(containers)
{
    static const char text[] = "{\"containers\":[{\"id\":\"c1\",\"podSandboxId\":\"a\",\"metadata\":{\"name\":\"x\"},"
                               "\"state\":\"CONTAINER_RUNNING\"},{\"id\":\"c2\",\"podSandboxId\":\"a\",\"metadata\":"
                               "{\"name\":\"x\"},\"state\":\"CONTAINER_UNKNOWN\"}]}";
    struct hf_listing listing = {.n_sandboxes = 0};

    ck_assert_int_eq(hf_listing_take_containers(&listing, hf_view_of(text), NULL), 0);
    ck_assert_uint_eq(listing.n_containers, 2);
    ck_assert_int_eq(listing.containers[0].state, HF_LISTED_RUNNING);
    ck_assert_int_eq(listing.containers[1].state, HF_LISTED_EXITED);
    ck_assert_int_eq(hf_listing_take_containers(&listing, hf_view_of("{}"), NULL), 0);
    ck_assert_uint_eq(listing.n_containers, 0);
    hf_listing_done(&listing);
}
END_TEST

static const struct {
    const char *text;
    int r;
} wrong[] = {{"", -EBADMSG},
             {"[]", -EBADMSG},
             {"{\"items\":{}}", -EBADMSG},
             {"{\"items\":[", -EBADMSG},
             {"fatal: connect", -EBADMSG}};

START_TEST(refused)
{
    struct hf_listing listing = {.n_sandboxes = 0};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_listing_take_sandboxes(&listing, hf_view_of(wrong[_i].text), &err), wrong[_i].r);
    ck_assert_ptr_null(listing.sandboxes);
}
END_TEST

START_TEST(cgroup_driver)
{
    ck_assert(hf_alone_place_is_systemd("a = 1\n    SystemdCgroup = true\n"));
    ck_assert(hf_alone_place_is_systemd("SystemdCgroup=true"));
    ck_assert(!hf_alone_place_is_systemd("# SystemdCgroup = true\nSystemdCgroup = false\n"));
    ck_assert(!hf_alone_place_is_systemd("SystemdCgroup"));
    ck_assert(!hf_alone_place_is_systemd(""));
}
END_TEST

START_TEST(address)
{
    char socket[32] = "";

    ck_assert(hf_alone_place_address("[ttrpc]\naddress = \"/t\"\n[grpc]\n  address = \"/run/x.sock\"\n", socket, 32));
    ck_assert_str_eq(socket, "/run/x.sock");
    ck_assert(
        !hf_alone_place_address("address = \"/x\"\n[grpc]\naddress = \"\"\n[debug]\naddress = \"/y\"", socket, 32));
    ck_assert(!hf_alone_place_address("[grpc]\naddress = \"/a/path/that/is/too/long/for/the/buffer\"", socket, 32));
    ck_assert(!hf_alone_place_address("[grpc]\naddress = \"/x", socket, 32));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, sandboxes);
    tcase_add_test(tc, containers);
    tcase_add_loop_test(tc, refused, 0, HF_LEN(wrong));
    tcase_add_test(tc, cgroup_driver);
    tcase_add_test(tc, address);
}

HF_TEST_MAIN("alone/listing", cases)
