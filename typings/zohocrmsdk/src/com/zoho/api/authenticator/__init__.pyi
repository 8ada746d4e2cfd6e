from .oauth_token import OAuthToken as OAuthToken
