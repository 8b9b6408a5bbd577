# greenroom's program, units and pages.
{ lib, rustPlatform, pkg-config, installShellFiles, makeWrapper, libjpeg, pipewire, ffmpeg, src }:

assert lib.assertMsg (builtins.pathExists (src + "/assets/models"))
  "the networks are missing: run `cargo xtask assets`, then name the clone as a path (nix build path:.)";

rustPlatform.buildRustPackage {
  pname = "greenroom";
  version = "0.1.0";
  inherit src;
  cargoLock.lockFile = src + "/Cargo.lock";

  cargoBuildFlags = [ "--package" "greenroom" "--features" "packaged" ];
  # They need cameras, kernel modules and files that a package does not have.
  doCheck = false;

  nativeBuildInputs = [ pkg-config rustPlatform.bindgenHook installShellFiles makeWrapper ];
  buildInputs = [ libjpeg pipewire ];

  postInstall = ''
    for unit in packaging/systemd/*.service packaging/dbus/*.service; do
      substituteInPlace $unit --replace-quiet /usr/bin/greenroom $out/bin/greenroom \
        --replace-quiet "ExecStart=greenroom" "ExecStart=$out/bin/greenroom"
    done
    install -Dm644 -t $out/lib/systemd/user packaging/systemd/greenroom.service
    install -Dm644 -t $out/lib/systemd/system packaging/systemd/greenroom-camera.service
    install -Dm644 -t $out/lib/udev/rules.d packaging/udev/60-greenroom.rules
    install -Dm644 -t $out/share/dbus-1/services packaging/dbus/*.service
    install -Dm644 -t $out/share/wireplumber/wireplumber.conf.d packaging/wireplumber/60-greenroom.conf
    install -Dm644 -t $out/share/greenroom/footage assets/footage/demo.mp4
    install -Dm644 -t $out/share/greenroom/backgrounds backgrounds/dusk.jpg
    install -Dm644 -t $out/share/doc/greenroom README.md SECURITY.md CHANGELOG.md LICENSE-* assets/NOTICE
    $out/bin/greenroom man >greenroom.1
    installManPage greenroom.1
    installShellCompletion --cmd greenroom --bash <($out/bin/greenroom completions bash) \
      --zsh <($out/bin/greenroom completions zsh) --fish <($out/bin/greenroom completions fish)
  '';

  # Wrapped last: units and pages name the program itself.
  postFixup = ''
    wrapProgram $out/bin/greenroom --suffix PATH : ${lib.makeBinPath [ ffmpeg ]}
  '';

  meta = {
    description = "A virtual camera that puts you before another background";
    license = with lib.licenses; [ mit asl20 ];
    platforms = [ "x86_64-linux" "aarch64-linux" ];
    mainProgram = "greenroom";
  };
}
