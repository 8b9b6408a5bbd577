# greenroom for Nix and NixOS. The networks are not part of the repository: get them first (`cargo xtask assets`), and name the
# clone as a path, so that Nix takes files that Git ignores, too:
#   nix build path:.
#   nix run path:. -- run --camera test-picture --output null
{
  description = "A virtual camera that puts you before another background";

  inputs.nixpkgs.url = "nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      forAll = nixpkgs.lib.genAttrs systems;
    in
    {
      packages = forAll (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./packaging/nix/package.nix { src = self; };
      });

      nixosModules.default = import ./packaging/nix/module.nix self;
    };
}
