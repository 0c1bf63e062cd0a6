<?php
/**
 * Who somebody is and may do, as the gateway says with each request. There are no accounts here: none to begin with, none
 * to guess, and a changed role acts at the next request.
 */
class GatewayIdentity {
    /** What somebody may do, as [module, action] on every object; a role may do what those before it may. */
    private const RIGHTS = [
        'viewer' => [
            ['Overview', 'view'], ['Map', 'view'], ['Search', 'view'],
            ['General', 'getHoverTemplate'], ['General', 'getContextTemplate'],
            ['User', 'getOptions'], ['User', 'setOption'],
        ],
        'operator' => [
            ['Map', 'add'], ['Map', 'edit'], ['Map', 'manage'],
            // NagVis lets nobody add or change any object without it.
            ['Map', 'editHtml'],
            ['ManageBackgrounds', 'manage'],
            ['Action', 'perform'],
        ],
        // Nobody edits NagVis's own settings, which come from the stack's, and nobody makes the server fetch an address
        // (Url, General/getHoverUrl).
        'admin' => [['ManageShapes', 'manage']],
    ];

    /** The name becomes part of a file's. */
    public static function name(): string {
        $name = $_SERVER['REMOTE_USER'] ?? '';
        return preg_match('/^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}$/D', $name) && self::role() !== null ? $name : '';
    }

    /** In NagVis's own form: module, action, object. */
    public static function permissions(): array {
        $permissions = [];
        foreach (self::RIGHTS as $role => $rights) {
            foreach (self::role() === null ? [] : $rights as [$module, $action])
                $permissions[$module][$action][AUTH_PERMISSION_WILDCARD] = [];
            if ($role === self::role())
                break;
        }
        return $permissions;
    }

    private static function role(): ?string {
        $role = $_SERVER['ICINGA_SWARM_ROLE'] ?? '';
        return isset(self::RIGHTS[$role]) ? $role : null;
    }
}

class CoreAuthModGateway extends CoreAuthModule {
    public function __construct() {
        self::$aFeatures = [];
    }

    public function isAuthenticated() {
        return GatewayIdentity::name() !== '';
    }

    public function checkUserExists($name) {
        return $name === GatewayIdentity::name();
    }

    public function getUser() {
        return GatewayIdentity::name();
    }

    public function getUserId() {
        return GatewayIdentity::name();
    }

    public function getCredentials() {
        return [];
    }

    public function getAllUsers() {
        return [];
    }

    public function passCredentials($aData) {
    }

    public function passNewPassword($aData) {
    }

    public function changePassword() {
        return false;
    }

    public function usesBcrypt($username) {
        return false;
    }
}

class CoreAuthorisationModGateway extends CoreAuthorisationModule {
    public $rolesConfigurable = false;

    /** Of whoever asks: NagVis asks for nobody else. */
    public function parsePermissions($sUsername = null) {
        return GatewayIdentity::permissions();
    }

    public function getUserRoles($userId) {
        return [];
    }

    // Maps have no permissions of their own that would come and go with them.

    public function createPermission($mod, $name) {
        return false;
    }

    public function deletePermission($mod, $name) {
        return false;
    }

    public function renameMapPermissions($old_name, $new_name) {
        return false;
    }
}
