// SPDX-License-Identifier: Apache-2.0

// The S3 server of github.com/versity/versitygw over a folder: s3 ADDRESS FOLDER CERTIFICATE KEY LOG. The environment has its one
// user, S3_ACCESS and S3_SECRET; LOG gets a line for each request.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func serve(address, folder, certificate, key, log string) error {
	store, err := posix.New(folder, meta.XattrMeta{}, posix.PosixOpts{})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(context.Background(), store, &embedgw.Config{
		Ports: []string{address}, Region: "us-east-1", Quiet: true, CertFile: certificate, KeyFile: key, AccessLog: log, MaxConnections: 100, MaxRequests: 100,
		MultipartMaxParts: 100, AdminMaxConnections: 10, AdminMaxRequests: 10,
		RootUserAccess: os.Getenv("S3_ACCESS"), RootUserSecret: os.Getenv("S3_SECRET"),
	})
}

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
